"""Arms faults from outside, for clients that cannot send the header: `/_faults`."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tarn_publishers.http.faults import ArmedFault, Fault, FaultBoard


def fault_routes(board: FaultBoard) -> list[Route]:
    """GET lists what is armed; POST arms `{"path": GLOB, "kind": KIND, "times": 1, "skip": 0, ...}`, where the
    rest are the fault's particulars; DELETE disarms all and gives replaced files back."""

    async def listing(_: Request) -> Response:
        return JSONResponse([asdict(armed) for armed in board.armed if armed.times])

    async def arm(request: Request) -> Response:
        try:
            armed = _read(await request.json())
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        board.armed.append(armed)
        return JSONResponse(asdict(armed), 201)

    async def disarm(_: Request) -> Response:
        board.clear()
        return Response(status_code=204)

    return [
        Route("/_faults", listing),
        Route("/_faults", arm, methods=["POST"]),
        Route("/_faults", disarm, methods=["DELETE"]),
    ]


def _read(body: object) -> ArmedFault:
    """Raises ValueError, which says what is missing or wrong."""
    if not isinstance(body, dict) or not isinstance(body.get("path"), str) or "kind" not in body:
        raise ValueError('a fault needs a path and a kind: {"path": "/taxi/*", "kind": "503"}')
    particulars = dict(body)
    path, kind = particulars.pop("path"), particulars.pop("kind")
    times, skip = particulars.pop("times", 1), particulars.pop("skip", 0)
    if not (isinstance(times, int) and times >= 1 and isinstance(skip, int) and skip >= 0):
        raise ValueError("times is a whole number from 1, skip one from 0")
    return ArmedFault(path, Fault.make(kind, particulars), times, skip)
