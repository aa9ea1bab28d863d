"""Campaigns: whom to call, in which order, how often and again, and the calls themselves. How fast is a plug-in's."""
