"""Units of the measures of speech, and which of them describe the voice or the recording."""

UNITS = {
    "duration": "s",
    "pitch": "Hz",
    "level": "LUFS",
    "snr": "dB",
    "bandwidth_hz": "Hz",
    "reverberation": "dB",
}
"""Unit of each measure that has one."""
VOICE = ("pitch",)
"""Measures of the voice. A group of people or an emotion may differ in them."""
CHANNEL = ("bandwidth", "bandwidth_hz", "clipping", "snr", "level", "reverberation")
"""Measures of the recording. The channel may be the cause if people differ in them."""
PREDICTION = "prediction"
"""Source of a column that a model predicts."""
