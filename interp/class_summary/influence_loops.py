"""The inner loops of influences, as machine code that is kept on disk.

A module of its own, as its import loads Numba: only what runs the loops imports it.
"""

from __future__ import annotations

from typing import no_type_check

import numba
import numpy as np

SLACK = np.float32(1 + 1e-5)
"""Bounds are summed in another order than what they are bounds of."""


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


@numba.njit(cache=True, nogil=True)
@no_type_check
def strongest_scaled(high, low, weights, rows, first, start, values, candidates):
    """Of kernels of one weight: the largest of what a channel times the weight comes to is at one of its extremes."""
    for image in range(len(high)):
        for j in range(len(rows)):
            own, named = values[image, rows[j]], candidates[image, rows[j]]
            for g in range(weights.shape[1]):
                weight, channel = weights[j, g], first[j] + g
                value = weight * (high[image, channel] if weight > 0 else low[image, channel])
                if value > 0 and value >= own[-1]:
                    _insert(own, named, value, start + channel)


@numba.njit(cache=True, nogil=True, fastmath=True)
@no_type_check
def _largest(plane, weights, offsets, shape, step, sums):
    """The largest of a kernel's results over the positions of a plane."""
    length = (shape[0] - 1) * step + shape[1]
    part, taps = sums[:length], len(weights)
    part[:] = 0
    tap = 0
    while tap + 2 < taps:
        a, b, c = weights[tap], weights[tap + 1], weights[tap + 2]
        x = plane[offsets[tap] : offsets[tap] + length]
        y = plane[offsets[tap + 1] : offsets[tap + 1] + length]
        z = plane[offsets[tap + 2] : offsets[tap + 2] + length]
        for p in range(length):
            part[p] += a * x[p] + b * y[p] + c * z[p]
        tap += 3
    while tap < taps:
        a, x = weights[tap], plane[offsets[tap] : offsets[tap] + length]
        for p in range(length):
            part[p] += a * x[p]
        tap += 1
    most = np.float32(-np.inf)
    for y in range(shape[0]):
        row = part[y * step : y * step + shape[1]]
        for x in range(shape[1]):
            most = max(most, row[x])
    return most


@numba.njit(cache=True, nogil=True)
@no_type_check
def strongest_convolved(
    planes, high, low, weights, above, below, offsets, shape, step, rows, first, start, values, candidates
):
    """Of larger kernels: the largest result over positions, computed where its bound is above what is there.

    A kernel's result is at most the sum of its positive weights times the channel's largest value, and of its negative
    ones times the smallest. Candidates are tried by that bound, the highest first.
    """
    groups = weights.shape[1]
    bounds, sums = np.empty(groups, np.float32), np.empty(planes.shape[2], np.float32)
    for image in range(len(planes)):
        for j in range(len(rows)):
            own, named = values[image, rows[j]], candidates[image, rows[j]]
            for g in range(groups):
                channel = first[j] + g
                bounds[g] = SLACK * (above[j, g] * high[image, channel] + below[j, g] * low[image, channel])
            while True:
                g = bounds.argmax()
                if bounds[g] <= 0 or bounds[g] < own[-1]:
                    break
                bounds[g] = -np.inf
                channel = first[j] + g
                value = _largest(planes[image, channel], weights[j, g], offsets, shape, step, sums)
                if value > 0 and value >= own[-1]:
                    _insert(own, named, value, start + channel)


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
    for row in range(len(counts)):
        for candidate in range(counts.shape[1]):
            count = counts[row, candidate]
            if count == 0 or joints[candidate] != joint:
                continue
            channel = channels[candidate]
            if whole:
                found[row, channel] = max(found[row, channel], count)
                continue
            for one in range(width):
                found[row, one] = max(found[row, one], min(count, reached[channel, one]))
