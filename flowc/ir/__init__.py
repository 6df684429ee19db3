"""The intermediate representation: what the user asked (`job`), what will be launched (`plan`), and the unit of
both."""
