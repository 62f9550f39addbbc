# SPDX-License-Identifier: MIT
"""Parts of tools/vm: options, the QEMU command line, host port frames, the run itself."""
