"""The audio of a call: codecs, resampling, paced playout and the stereo recording."""
