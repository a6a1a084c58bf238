#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Run by the packages feed's CI on a router's root file system: test.sh PACKAGE VERSION
set -e

case "$1" in
    oasis6 | oasis6-mini)
        oasis6 --version | grep -F "oasis6 $2"
        oasis6 check
        ;;
esac
