"""What `doctor`, `init` and `watch` do: `checks` looks at what is there, `asking` asks for settings, `watching` looks
after tasks for as long as it runs, `service` has systemd run it."""
