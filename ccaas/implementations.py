"""Which plug-ins are installed, and which hooks a plug-in implements: found, checked and put in order before any is called."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

import pluggy

from ccaas import hookspecs
from ccaas.errors import PluginError
from ccaas.ports.journey import Customer
from ccaas.ports.sentiment import Handover
from ccaas.spelling import nearest

GROUP = "ccaas"
"""The group of entry points in which plug-ins are found."""
HOOKS = tuple(name for name in dir(hookspecs) if name.startswith("ccaas_"))
"""All hooks there are."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How one hook is called."""

    verb: Literal["first", "each", "notify"]
    limit_s: float
    """Seconds that one plug-in may take."""
    answer: type | None = None
    """What it may answer besides None."""


RULES: Mapping[str, Rule] = {
    "ccaas_identify": Rule("first", 0.5, Customer),
    "ccaas_route": Rule("first", 0.5, str),
    "ccaas_context": Rule("each", 0.3, Mapping),
    "ccaas_may_contact": Rule("each", 0.3, str),
    "ccaas_escalate": Rule("first", 0.2, Handover),
    "ccaas_forget": Rule("each", 20.0),
    "ccaas_call_event": Rule("notify", 5.0),
    "ccaas_turn_event": Rule("notify", 5.0),
}


@dataclass(frozen=True, slots=True)
class Implementation:
    """One plug-in's version of one hook."""

    plugin: str
    hook: str
    function: Callable[..., Awaitable[Any]]
    arguments: tuple[str, ...]
    """Those of the hook's arguments that it wants."""


def available() -> dict[str, EntryPoint]:
    """The plug-ins that are installed, by name; none is loaded.

    Raises:
        PluginError: two installed packages use one name.
    """
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            packages = " and ".join(p.dist.name if p.dist else p.value for p in (other, point))
            raise PluginError(f'{packages} both bring a plug-in called "{point.name}"; uninstall one of them')
    return found


def missing(name: str, installed: Mapping[str, object]) -> str:
    """The sentence for a plug-in that is not installed."""
    return f'no plug-in "{name}" is installed; {nearest(name, installed)} (or install the package that brings it)'


def implementations(plugins: Mapping[str, object]) -> dict[str, list[Implementation]]:
    """For every hook its implementations, in the order in which they are called.

    Args:
        plugins: modules or objects with hooks, by plug-in, in the order of the YAML.

    Raises:
        PluginError: one breaks the rules of a hook.
    """
    host = pluggy.PluginManager("ccaas")
    host.add_hookspecs(hookspecs)
    for name, plugin in plugins.items():
        _refuse_unmarked(name, plugin)
        try:
            host.register(plugin, name)
        except (pluggy.PluginValidationError, ValueError) as error:
            raise PluginError(f'plug-in "{name}": {" ".join(str(error).split())}; mend its signature') from None
        for caller in host.get_hookcallers(plugin) or ():
            if not caller.has_spec():
                raise PluginError(f'plug-in "{name}": there is no hook {caller.name}; {nearest(caller.name, HOOKS)}')
    order = {name: index for index, name in enumerate(plugins)}
    found: dict[str, list[Implementation]] = {}
    for hook in HOOKS:
        impls = list(getattr(host.hook, hook).get_hookimpls())
        for impl in impls:
            _check(impl, hook)
        impls.sort(key=lambda impl: (impl.trylast - impl.tryfirst, order[impl.plugin_name]))
        found[hook] = [Implementation(impl.plugin_name, hook, impl.function, tuple(impl.argnames)) for impl in impls]
    return found


def _check(impl: pluggy.HookImpl, hook: str) -> None:
    """Raise PluginError where an implementation is not of its hook's own sort."""
    where = f'plug-in "{impl.plugin_name}": {hook}'
    if impl.hookwrapper or impl.wrapper:
        raise PluginError(f"{where} is a wrapper; plug-ins cannot wrap each other here, remove `wrapper`")
    if inspect.iscoroutinefunction(impl.function) != (hook in RULES):
        raise PluginError(
            f"{where} must be {'`async def`' if hook in RULES else 'a plain `def`'}; change its first line"
        )


def _refuse_unmarked(name: str, plugin: object) -> None:
    """A hook without @hookimpl would be passed over in silence."""
    for attribute in dir(plugin):
        function = getattr(plugin, attribute, None)
        ours = getattr(function, "__module__", None) == hookspecs.__name__
        if attribute.startswith("ccaas_") and callable(function) and not ours and not hasattr(function, "ccaas_impl"):
            raise PluginError(f'plug-in "{name}": {attribute} lacks @hookimpl; put it above the function')
