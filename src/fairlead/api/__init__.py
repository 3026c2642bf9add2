"""SPEAKS: HTTP. Parses, authorises, calls one flow or one view, answers."""
