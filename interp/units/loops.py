"""The inner loops of what is counted of units, as machine code that is kept on disk.

A module of its own, as its import loads Numba: only what runs the loops imports it.
"""

from __future__ import annotations

from typing import no_type_check

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
@no_type_check
def _any_over(numbers, limit):
    """Whether any number exceeds a limit: counted without a branch, several at a time, as mostly none does."""
    over = 0
    for at in range(len(numbers)):
        over += numbers[at] > limit
    return over > 0


@numba.njit(cache=True, nogil=True)
@no_type_check
def pixels_over(map, limit, first_y, shares_y, first_x, shares_x, found):
    """Write the pixels at which an enlarged map exceeds its limit into `found`; gives their number.

    Between four positions nothing exceeds what none of them does: so of a map of which one position in 200 is over the
    threshold, only few pixels are computed.
    """
    count, (rows, columns), width, one = 0, map.shape, len(shares_x), np.float32(1)
    above = False
    for i in range(rows + 1):
        top, bottom = max(i - 1, 0), min(i, rows - 1)
        below = _any_over(map[bottom], limit) if i < rows else False
        either, above = above or below, below
        if not either:
            continue
        for j in range(columns + 1):
            left, right = max(j - 1, 0), min(j, columns - 1)
            a, b, c, d = map[top, left], map[top, right], map[bottom, left], map[bottom, right]
            if not (a > limit or b > limit or c > limit or d > limit):
                continue
            for y in range(first_y[i], first_y[i + 1]):
                down = shares_y[y]
                # From the nearer end, so that at an end its own value is met exactly.
                if down < 0.5:
                    start, end = a + down * (c - a), b + down * (d - b)
                else:
                    start, end = c - (one - down) * (c - a), d - (one - down) * (d - b)
                for x in range(first_x[j], first_x[j + 1]):
                    across = shares_x[x]
                    if across < 0.5:
                        value = start + across * (end - start)
                    else:
                        value = end - (one - across) * (end - start)
                    if value > limit:
                        found[count] = y * width + x
                        count += 1
    return count


@numba.njit(cache=True, nogil=True)
@no_type_check
def add_up(maps, rows, channels, limits, first_y, shares_y, first_x, shares_x, found, places, counts):
    """Add the pixels at which enlarged maps exceed their limits to all counts, each at its map's channel and place."""
    for one in range(len(maps)):
        number = pixels_over(maps[one], limits[one], first_y, shares_y, first_x, shares_x, found)
        row, channel = rows[one], channels[one]
        for which in range(len(places)):
            of, into = places[which][row], counts[which][channel]
            for at in range(number):
                into[of[found[at]]] += 1


@numba.njit(cache=True, nogil=True)
@no_type_check
def _mark(marks, i, j):
    """Mark a position, and those next to it."""
    for y in range(max(i - 1, 0), min(i + 2, marks.shape[0])):
        for x in range(max(j - 1, 0), min(j + 2, marks.shape[1])):
            marks[y, x] = True


@numba.njit(cache=True, nogil=True)
@no_type_check
def beside(maps, floors, at, values):
    """Write where maps exceed their floors, or are next to where they do, and their values there; gives the number.

    Without branches in the inner loops, so that several positions are looked at together: of the first images, when
    floors are low, half of all are written.
    """
    channels, rows, columns = maps.shape
    # With a margin, which nothing exceeds.
    over, near = np.zeros((rows + 2, columns + 2), np.uint8), np.zeros(columns, np.uint8)
    has, count = np.zeros(rows + 2, np.bool_), 0
    for channel in range(channels):
        own, floor = maps[channel], floors[channel]
        for i in range(rows):
            line, some = over[i + 1], 0
            for j in range(columns):
                one = own[i, j] > floor
                line[j + 1] = one
                some += one
            has[i + 1] = some > 0
        for i in range(rows):
            if not (has[i] or has[i + 1] or has[i + 2]):
                continue
            a, b, c = over[i], over[i + 1], over[i + 2]
            for j in range(columns):
                near[j] = a[j] | a[j + 1] | a[j + 2] | b[j] | b[j + 1] | b[j + 2] | c[j] | c[j + 1] | c[j + 2]
            line, first = own[i], (channel * rows + i) * columns
            for j in range(columns):
                # What is not near is written over by the next.
                at[count], values[count] = first + j, line[j]
                count += near[j]
    return count


@numba.njit(cache=True, nogil=True)
@no_type_check
def beside_of(at, values, floors, shape, kept_at, kept_values):
    """As `beside`, of what it gave with lower floors; both may be written over what is given."""
    channels, rows, columns = shape
    marks, count, first = np.zeros((rows, columns), np.bool_), 0, 0
    for channel in range(channels):
        begin = channel * rows * columns
        last, any_over = first, False
        while last < len(at) and at[last] < begin + rows * columns:
            if values[last] > floors[channel]:
                _mark(marks, (at[last] - begin) // columns, (at[last] - begin) % columns)
                any_over = True
            last += 1
        if any_over:
            for number in range(first, last):
                i, j = (at[number] - begin) // columns, (at[number] - begin) % columns
                if marks[i, j]:
                    kept_at[count], kept_values[count] = at[number], values[number]
                    count += 1
            marks[:] = False
        first = last
    return count


@numba.njit(cache=True, nogil=True)
@no_type_check
def summed_up(maps, every, peaks, places, means, active):
    """Write, by channel and image, all values, the largest, its place and the mean; add up how many are above 0."""
    images, channels, positions = maps.shape
    for image in range(images):
        for channel in range(channels):
            own, copy = maps[image, channel], every[channel, image]
            largest, place, total, above = own[0], 0, 0.0, 0
            for at in range(positions):
                value = own[at]
                copy[at] = value
                total += value
                above += value > 0
                if value > largest:
                    largest, place = value, at
            peaks[channel, image], places[channel, image] = largest, place
            means[channel, image] = total / positions
            active[channel] += above


@numba.njit(cache=True, nogil=True)
@no_type_check
def count_over(values, least, counts):
    """Write how many numbers of each row exceed its least."""
    for row in range(len(values)):
        over = 0
        for at in range(values.shape[1]):
            over += values[row, at] > least[row]
        counts[row] = over


@numba.njit(cache=True, nogil=True)
@no_type_check
def take_over(values, least, taken):
    """Write the numbers of each row that exceed its least, in their order, at the beginning of the row of `taken`."""
    for row in range(len(values)):
        count, own, bound = 0, values[row], least[row]
        for at in range(values.shape[1]):
            if own[at] > bound:
                taken[row, count] = own[at]
                count += 1


@numba.njit(cache=True, nogil=True)
@no_type_check
def count_sizes(bits, lowest, counts):
    """Add up how many numbers of each row, given as bits, are of each size, which their first 16 bits tell."""
    bins = counts.shape[1]
    for row in range(len(bits)):
        own, into = bits[row], counts[row]
        for at in range(len(own)):
            into[min(max((own[at] >> 16) - lowest, 0), bins - 1)] += 1
