"""Speech synthesis by the program espeak-ng: plain, small and quick, in a hundred languages."""
