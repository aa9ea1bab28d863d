"""Telephones in browsers: the softphone of who is signed in, and the page /call on which anybody can call."""
