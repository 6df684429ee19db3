"""The Python SDK: tasks from Python, by the pipeline of the command line.

`writing` turns a call's arguments into the text of a task YAML that knows which argument each place came from,
`compiling` hands it to the driver, `flow` and `task` do with the outcome what `flowc submit` and the commands after it
do, by `flowc.tasks`. What is public is named in `flowc/__init__.py`. Nothing here prints: what is to be said goes to
the logger `flowc`, what goes wrong is an error of `errors`.
"""
