import flowc as flow

program = "import sys; print(sys.argv[1:])"
task = flow.run(["python3", "-c", program, "--epochs", "a b", "$HOME"], gpu="a100", wait=True)
assert task.logs() == "['--epochs', 'a b', '$HOME']\n"
