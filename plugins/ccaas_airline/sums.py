"""A pocket calculator: numbers, + - * / and brackets, nothing else."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable

from ccaas.errors import ToolError

_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_UNARY: dict[type[ast.unaryop], Callable[[float], float]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_LONGEST = 200


def calculate(expression: str) -> float:
    """The value, rounded to cents. Raises ToolError "bad_arguments"."""
    try:
        if len(expression) > _LONGEST:
            raise ValueError("too long")
        return round(float(_value(ast.parse(expression.strip(), mode="eval").body)), 2)
    except (SyntaxError, ValueError, ZeroDivisionError, OverflowError) as error:
        raise ToolError("bad_arguments", f"{expression[:40]!r} cannot be calculated ({error})") from error


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_value(left), _value(right))
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _UNARY:
            return _UNARY[type(sign)](_value(operand))
    raise ValueError("only numbers, + - * / and brackets")
