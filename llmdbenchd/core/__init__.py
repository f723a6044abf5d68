"""The pure rooms: values in, values out. No loop, no clock, no file, no log line."""
