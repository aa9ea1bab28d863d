"""Speech synthesis by Piper voices, in processes of their own."""
