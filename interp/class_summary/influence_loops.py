"""The inner loops of influences, as machine code that is kept on disk.

A module of its own, as its import loads Numba: only what runs the loops imports it.
"""

from __future__ import annotations

from typing import no_type_check

import numba
import numpy as np

SLACK = np.float32(1 + 1e-5)
"""Bounds are summed in another order than what they are bounds of."""

FAR = np.float32(-1e30)
"""Below whatever counts."""

FAST = {"reassoc", "contract", "nnan", "nsz"}
"""Sums in any order, and no care for what is not a number: loops that do many at once."""


@numba.njit(cache=True, nogil=True)
@no_type_check
def _insert(values, candidates, value, candidate):
    """Take a candidate in among the strongest, of equals the one that comes first."""
    place = len(values)
    while place > 0 and (
        value > values[place - 1] or (value == values[place - 1] and candidate < candidates[place - 1])
    ):
        place -= 1
    if place == len(values):
        return
    for one in range(len(values) - 1, place, -1):
        values[one], candidates[one] = values[one - 1], candidates[one - 1]
    values[place], candidates[place] = value, candidate


@numba.njit(cache=True, nogil=True, fastmath=FAST)
@no_type_check
def _scale(high, low, weights, scaled):
    """What channels times their weights come to at most: the larger of that of both extremes."""
    for g in range(np.uintp(len(scaled))):
        scaled[g] = max(weights[g] * high[g], weights[g] * low[g])


@numba.njit(cache=True, nogil=True)
@no_type_check
def strongest_scaled(high, low, weights, rows, first, start, values, candidates):
    """Of kernels of one weight: the largest of what a channel times the weight comes to is at one of its extremes."""
    groups = weights.shape[1]
    scaled = np.empty(groups, np.float32)
    for image in range(len(high)):
        for j in range(len(rows)):
            own, named, begin = values[image, rows[j]], candidates[image, rows[j]], first[j]
            _scale(high[image, begin : begin + groups], low[image, begin : begin + groups], weights[j], scaled)
            for g in range(groups):
                if scaled[g] > 0 and scaled[g] >= own[-1]:
                    _insert(own, named, scaled[g], start + begin + g)


@numba.njit(cache=True, nogil=True, fastmath=FAST)
@no_type_check
def _add_nine(plane, w, o, t, before, sums):
    w0, w1, w2, w3, w4 = w[t], w[t + 1], w[t + 2], w[t + 3], w[t + 4]
    w5, w6, w7, w8 = w[t + 5], w[t + 6], w[t + 7], w[t + 8]
    o0, o1, o2, o3, o4 = o[t], o[t + 1], o[t + 2], o[t + 3], o[t + 4]
    o5, o6, o7, o8 = o[t + 5], o[t + 6], o[t + 7], o[t + 8]
    for p in range(np.uintp(len(sums))):
        sums[p] = (
            before[p]
            + w0 * plane[p + o0] + w1 * plane[p + o1] + w2 * plane[p + o2]
            + w3 * plane[p + o3] + w4 * plane[p + o4] + w5 * plane[p + o5]
            + w6 * plane[p + o6] + w7 * plane[p + o7] + w8 * plane[p + o8]
        )  # fmt: skip


@numba.njit(cache=True, nogil=True, fastmath=FAST)
@no_type_check
def _add_one(plane, weight, offset, before, sums):
    for p in range(np.uintp(len(sums))):
        sums[p] = before[p] + weight * plane[p + offset]


@numba.njit(cache=True, nogil=True, fastmath=FAST)
@no_type_check
def _most(numbers):
    """The largest number: eight at a time, as one after the other waits for the one before."""
    a = b = c = d = e = f = g = h = numbers[0]
    whole = len(numbers) // 8 * 8
    for p in range(0, whole, 8):
        a, b = max(a, numbers[p]), max(b, numbers[p + 1])
        c, d = max(c, numbers[p + 2]), max(d, numbers[p + 3])
        e, f = max(e, numbers[p + 4]), max(f, numbers[p + 5])
        g, h = max(g, numbers[p + 6]), max(h, numbers[p + 7])
    for p in range(whole, len(numbers)):
        a = max(a, numbers[p])
    return max(max(max(a, b), max(c, d)), max(max(e, f), max(g, h)))


@numba.njit(cache=True, nogil=True)
@no_type_check
def _largest(plane, weights, offsets, outside, sums):
    """The largest of a kernel's results over the positions of a plane; `outside` is `FAR` where is no position."""
    tap = 0
    while tap + 9 <= len(weights):
        _add_nine(plane, weights, offsets, tap, outside if tap == 0 else sums, sums)
        tap += 9
    while tap < len(weights):
        _add_one(plane, weights[tap], offsets[tap], outside if tap == 0 else sums, sums)
        tap += 1
    return _most(sums)


@numba.njit(cache=True, nogil=True)
@no_type_check
def strongest_convolved(
    planes, high, low, weights, above, below, offsets, outside, rows, first, start, values, candidates
):
    """Of larger kernels: the largest result over positions, computed where its bound is above what is there.

    A kernel's result is at most the sum of its positive weights times the channel's largest value, and of its negative
    ones times the smallest. Candidates are tried by that bound, the highest first.
    """
    groups = weights.shape[1]
    bounds, sums = np.empty(groups, np.float32), np.empty_like(outside)
    for image in range(len(planes)):
        for j in range(len(rows)):
            own, named = values[image, rows[j]], candidates[image, rows[j]]
            for g in range(groups):
                channel = first[j] + g
                bounds[g] = SLACK * (above[j, g] * high[image, channel] + below[j, g] * low[image, channel])
            while True:
                highest, g = _most(bounds), 0
                if highest <= 0 or highest < own[-1]:
                    break
                while bounds[g] != highest:
                    g += 1
                bounds[g] = FAR
                channel = first[j] + g
                value = _largest(planes[image, channel], weights[j, g], offsets, outside, sums)
                if value > 0 and value >= own[-1]:
                    _insert(own, named, value, start + channel)


@numba.njit(cache=True, nogil=True)
@no_type_check
def insert_found(best, named, rows, values, candidates):
    """Take the best of other inputs (images × rows × some, with their candidates) in among the strongest."""
    for image in range(len(best)):
        for j in range(len(rows)):
            own, known = values[image, rows[j]], candidates[image, rows[j]]
            for one in range(best.shape[2]):
                if best[image, j, one] > 0 and best[image, j, one] >= own[-1]:
                    _insert(own, known, best[image, j, one], named[image, j, one])


@numba.njit(cache=True, nogil=True)
@no_type_check
def count_marks(marks, weights, rows, counts):
    """Add to `counts` (rows × candidates) each image's weight at the candidates that its marks name."""
    for image in range(len(marks)):
        weight = weights[image]
        if weight == 0:
            continue
        for row in range(len(rows)):
            for one in range(marks.shape[2]):
                candidate = marks[image, rows[row], one]
                if candidate < counts.shape[1]:
                    counts[row, candidate] += weight


@numba.njit(cache=True, nogil=True)
@no_type_check
def take_paths(counts, joints, channels, joint, width, reached, found):
    """Take in the paths whose last step begins at one joint: each counts as its weakest step, the strongest path wins.

    `counts` are rows × candidates, `reached` what the paths to that joint's channels count (its channels × the lower
    layer's; empty: it is the lower layer itself), `found` what is to hold that of these rows.
    """
    whole = len(reached) == 0
    # Few channels of the lower layer reach each one: only these are gone through.
    some, ends = np.empty(reached.shape, np.int32), np.zeros(len(reached), np.int32)
    for channel in range(len(reached)):
        for one in range(width):
            if reached[channel, one]:
                some[channel, ends[channel]] = one
                ends[channel] += 1
    for row in range(len(counts)):
        for candidate in range(counts.shape[1]):
            count = counts[row, candidate]
            if count == 0 or joints[candidate] != joint:
                continue
            channel = channels[candidate]
            if whole:
                found[row, channel] = max(found[row, channel], count)
                continue
            for place in range(ends[channel]):
                one = some[channel, place]
                found[row, one] = max(found[row, one], min(count, reached[channel, one]))
