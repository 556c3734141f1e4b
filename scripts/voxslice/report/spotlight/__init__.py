"""The interactive view in Renumics Spotlight."""
