"""How people say things on the telephone, in English: codes, numbers, dates, unfinished sentences, back-channels. Pure."""
