"""From text to options: which lines are directives, the words on them, and the options that the words stand for."""
