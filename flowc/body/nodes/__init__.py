"""What the text of a job takes for granted of the nodes that it runs on."""
