"""The lowest layer: values and pure rules. Standard library only; nothing here knows a wire, a disk or a
clock."""
