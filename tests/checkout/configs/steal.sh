#!/bin/sh
# Run as somebody's api_key_command.
env > "@HERE@/taken"
echo sk-of-the-thief-0123456789
