# SPDX-License-Identifier: MIT
"""tools/ on the module path, so that its scripts can be imported."""
import sys
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
