#!/usr/bin/env python3
"""Writes src/xmpp/precis-tables.ts: RFC 8264 derived properties, RFC 5893 bidi classes, RFC 5892 joining types.

Run with the Python whose unicodedata is the Unicode version wanted, and a Perl of the same version, which
is asked for the joining types (unicodedata does not have them):
    /usr/bin/python3 scripts/precis-tables.py > src/xmpp/precis-tables.ts
"""
import bisect
import subprocess
import sys
import unicodedata as u

PVALID, FREE, DISALLOWED, CONTEXTJ, CONTEXTO, UNASSIGNED = "P", "F", "D", "J", "O", "U"
# RFC 8264 section 9.6 (the exceptions of RFC 5892 section 2.6)
EXCEPTIONS = {c: PVALID for c in (0xDF, 0x3C2, 0x6FD, 0x6FE, 0xF0B, 0x3007)}
EXCEPTIONS.update({c: CONTEXTO for c in (0xB7, 0x375, 0x5F3, 0x5F4, 0x30FB)})
EXCEPTIONS.update({c: CONTEXTO for c in list(range(0x660, 0x66A)) + list(range(0x6F0, 0x6FA))})
EXCEPTIONS.update({c: DISALLOWED for c in (0x640, 0x7FA, 0x302E, 0x302F, 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x303B)})
# Default_Ignorable_Code_Point, which unicodedata does not tell (DerivedCoreProperties.txt)
IGNORABLE = [(0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
             (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
             (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)]


def ignorable(c):
    noncharacter = 0xFDD0 <= c <= 0xFDEF or c & 0xFFFE == 0xFFFE
    return noncharacter or any(a <= c <= b for a, b in IGNORABLE)


def derived(c):
    ch = chr(c)
    cat = u.category(ch)
    if c in EXCEPTIONS:
        return EXCEPTIONS[c]
    noncharacter = 0xFDD0 <= c <= 0xFDEF or c & 0xFFFE == 0xFFFE
    if cat == "Cn" and not noncharacter:
        return UNASSIGNED
    if 0x21 <= c <= 0x7E:
        return PVALID
    if c in (0x200C, 0x200D):
        return CONTEXTJ
    if 0x1100 <= c <= 0x11FF or 0xA960 <= c <= 0xA97C or 0xD7B0 <= c <= 0xD7FB:
        return DISALLOWED
    if ignorable(c) or cat == "Cc":
        return DISALLOWED
    if u.normalize("NFKC", ch) != ch:
        return FREE
    if cat in ("Ll", "Lu", "Lo", "Nd", "Lm", "Mn", "Mc"):
        return PVALID
    if cat in ("Lt", "Nl", "No", "Me", "Zs", "Sm", "Sc", "Sk", "So", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"):
        return FREE
    return DISALLOWED


BIDI = {"L": "L", "R": "R", "AL": "A", "AN": "N", "EN": "E", "ES": "S", "CS": "S", "ET": "S", "ON": "S", "BN": "S", "NSM": "M"}


def bidi(c):
    return BIDI.get(u.bidirectional(chr(c)), "X")


# Joining_Type; C and U, which no rule asks for, are N here.
JOINING_SCRIPT = r"""
use Unicode::UCD qw(prop_invmap);
my ($starts, $values) = prop_invmap("Joining_Type");
print Unicode::UCD::UnicodeVersion(), "\n", map { "$starts->[$_] $values->[$_]\n" } 0 .. $#$starts;
"""
perl = subprocess.run(["perl", "-e", JOINING_SCRIPT], check=True, capture_output=True, text=True).stdout.split("\n")
if perl[0] != u.unidata_version:
    sys.exit(f"Perl has Unicode {perl[0]}, Python {u.unidata_version}")
JOINING = {"Dual_Joining": "D", "Left_Joining": "L", "Right_Joining": "R", "Transparent": "T", **{t: t for t in "DLRT"}}
joining_runs = [line.split(" ") for line in perl[1:] if line]
joining_starts = [int(start) for start, _ in joining_runs]


def joining(c):
    return JOINING.get(joining_runs[bisect.bisect_right(joining_starts, c) - 1][1], "N")


def ranges(f):
    """'<letter><base 36 length>' for each run of equal values, in order, from U+0000 to U+10FFFF."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"

    def b36(n):
        s = ""
        while n:
            n, r = divmod(n, 36)
            s = digits[r] + s
        return s

    out, last, run = [], f(0), 0
    for c in range(0x110000):
        v = f(c)
        if v == last:
            run += 1
        else:
            out.append(last + b36(run))
            last, run = v, 1
    out.append(last + b36(run))
    return "".join(out)


def lines(text):
    return "\n".join('  "%s"%s' % (text[i:i + 92], " +" if i + 92 < len(text) else ";") for i in range(0, len(text), 92))


viramas = [c for c in range(0x110000) if u.combining(chr(c)) == 9]
sys.stdout.write(f"""/**
 * PRECIS tables of Unicode {u.unidata_version}, written by scripts/precis-tables.py; do not edit.
 *
 * Runs of equal values from U+0000 on, each a capital letter and the run's length in base 36.
 */

/** RFC 8264 §8: P valid, F valid in free-form strings, D disallowed, J and O by context, U unassigned. */
export const derivedRuns =
{lines(ranges(derived))}

/** RFC 5893 §1.4: L, R, A (AL), N (AN), E (EN), M (NSM), S (may stand in either direction), X (else). */
export const bidiRuns =
{lines(ranges(bidi))}

/** RFC 5892 appendix A.1, Joining_Type: L, R, D, T, N (else). */
export const joiningRuns =
{lines(ranges(joining))}

/** Canonical combining class 9 (RFC 5892 appendix A.1). */
export const viramas: readonly number[] = [
{chr(10).join('  ' + ', '.join(hex(c) for c in viramas[i:i + 10]) + ',' for i in range(0, len(viramas), 10))}
];
""")
