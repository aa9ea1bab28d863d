"""The IVR replacement: a caller may simply speak, and one who presses keys finds menus."""
