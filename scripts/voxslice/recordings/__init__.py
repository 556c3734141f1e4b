"""Long recordings: their channels, their speech, and the segments that are their utterances."""
