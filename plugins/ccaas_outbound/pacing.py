"""The pacers. Pure: what stands in, a number out.

Predictive pacing counts ahead, as D. A. Samuelson describes it ("Predictive Dialing for Outbound Telephone Call Centers",
Interfaces 29(5), 1999): what rings now will be answered with some chance within some seconds, who talks now will be free with
some chance by then. The formula is ours: for several moments ahead, answers and free agents are sums of independent chances,
so their difference is nearly normal; the expected number of answers that find nobody is its loss function. As many calls
are begun as keep that number, at the worst of these moments, below a share of the answers expected.

How large a share is learnt: each abandoned call lowers it by much, each one that finds its agent raises it by little, in such a
ratio that it stands still only where what is really abandoned is the target. So the formula's own error (chances that are
not independent, an answer rate that falls at noon) is taken out by what happens.
"""

from __future__ import annotations

import math

import numpy as np

from ccaas.ports.dialling import Standing
from ccaas.ports.site import Site
from ccaas_outbound.durations import Array, Handling, Ringing
from ccaas_outbound.settings import PredictiveSettings, ProgressiveSettings

AHEAD_S = np.array([2.0, 4.0, 7.0, 11.0, 16.0, 24.0])
"""The moments that are looked at."""
STEP = 0.25
"""How much the learnt share moves at most."""
MOST_MORE = 60
"""More calls than there are agents, that are begun at once at most."""
SMALLEST, LARGEST = 1e-5, 0.5
_Z = np.linspace(-6.0, 6.0, 1201)
_LOSS = np.array([math.exp(-z * z / 2) / math.sqrt(2 * math.pi) - z * (1 - math.erf(z / math.sqrt(2))) / 2 for z in _Z])
"""The standard normal loss function: E[(X − z)⁺]."""


class Progressive:
    """One call for each agent who is free: nobody who answers waits."""

    previews = False

    def __init__(self, settings: ProgressiveSettings, site: Site) -> None:
        """Nothing is to be set."""

    def wanted(self, standing: Standing, at: float) -> int:
        """See the port."""
        return max(standing.free - len(standing.ringing), 0)

    def rang(self, seconds: float, at: float, *, answered: bool) -> None:
        """See the port; nothing is learnt."""

    def handled(self, talk_s: float, wrap_s: float, at: float) -> None:
        """See the port; nothing is learnt."""

    def met(self, at: float, *, abandoned: bool) -> None:
        """See the port; nothing is learnt."""


class Preview(Progressive):
    """An agent looks first; then as progressive."""

    previews = True


class Predictive:
    """As many calls as the answers and the agents to come allow."""

    previews = False

    def __init__(self, settings: PredictiveSettings, site: Site) -> None:
        """Nothing is read or opened."""
        self._aim = settings.aim
        self._ringing = Ringing(settings.half_life_s, settings.answer_rate)
        self._handling = Handling(settings.half_life_s, settings.handle_s)
        self._wrapping = Handling(settings.half_life_s, max(settings.handle_s / 6, 1.0))
        self._ahead = False
        self._share = 0.01
        self._target = 0.03

    def wanted(self, standing: Standing, at: float) -> int:
        """See the port."""
        one_each = max(standing.free - len(standing.ringing), 0)
        agents = standing.free + len(standing.talking) + len(standing.wrapping)
        self._ahead = standing.ahead
        if not standing.ahead or agents <= 0:
            return one_each
        self._target = standing.target * self._aim
        for table in (self._ringing, self._handling, self._wrapping):
            table.make(at)
        mean, variance = self._to_come(standing)
        new = self._ringing.chance(np.zeros(1), AHEAD_S)[0]
        if not self._most(standing, mean, variance, new, 1):  # mostly so, and looked at in a tenth of the time
            return one_each
        most = min(4 * agents, agents + MOST_MORE)
        return max(one_each, self._most(standing, mean, variance, new, most))

    def _most(self, standing: Standing, mean: Array, variance: Array, new: Array, most: int) -> int:
        """How many calls may be begun, of so many at most."""
        calls = np.arange(1.0, most + 1)[:, None]
        answers, spread, free = mean[0] + calls * new, variance[0] + calls * new * (1 - new), standing.free + mean[1]
        # How well the answer rate is known: all chances are wrong together.
        rate = max(float(new[-1]), 0.01)
        unsure = (1 - rate) / (rate * self._ringing.weight)
        deviation = np.sqrt(spread + variance[1] + unsure * answers**2) + 1e-6
        lost = deviation * np.interp((free - answers) / deviation, _Z, _LOSS)
        lost = np.where(free - answers < _Z[0] * deviation, answers - free, lost)
        within = lost.max(axis=1) <= self._share * answers[:, -1]
        return int(np.flatnonzero(within)[-1]) + 1 if within.any() else 0

    def _to_come(self, standing: Standing) -> tuple[Array, Array]:
        """Means and variances of the answers and of the agents who become free, at each moment; answers × moments."""
        answers = self._ringing.chance(standing.ringing, AHEAD_S) if standing.ringing else np.zeros((1, len(AHEAD_S)))
        free = [np.zeros((1, len(AHEAD_S)))]
        if standing.talking:
            free.append(self._handling.chance(standing.talking, AHEAD_S))
        if standing.wrapping:
            free.append(self._wrapping.chance(standing.wrapping, AHEAD_S))
        agents = np.concatenate(free)
        mean = np.stack([answers.sum(axis=0), agents.sum(axis=0)])
        variance = np.stack([(answers * (1 - answers)).sum(axis=0), (agents * (1 - agents)).sum(axis=0)])
        return mean, variance

    def rang(self, seconds: float, at: float, *, answered: bool) -> None:
        """See the port."""
        self._ringing.add(seconds, at, answered=answered)

    def handled(self, talk_s: float, wrap_s: float, at: float) -> None:
        """See the port."""
        self._handling.add(talk_s + wrap_s, at)
        self._wrapping.add(wrap_s, at)

    def met(self, at: float, *, abandoned: bool) -> None:
        """See the port. While nothing is begun ahead, that nobody is abandoned says nothing."""
        if not abandoned and not self._ahead:
            return
        step = STEP * (self._target - (1.0 if abandoned else 0.0))
        self._share = min(max(self._share * math.exp(step), SMALLEST), LARGEST)
