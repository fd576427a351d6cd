"""The columns of dataset h9gi-nx95: the API's names, the export's names, and their types.

The API swaps two names: its `off_street_name` is what the export calls CROSS STREET NAME, and the other way round.
"""

from enum import StrEnum


class FieldType(StrEnum):
    """Types as `X-SODA2-Types` names them."""

    MOMENT = "floating_timestamp"  # without a zone
    INSTANT = "fixed_timestamp"  # UTC
    TEXT = "text"
    NUMBER = "number"
    LOCATION = "location"
    ROW_ID = "row_identifier"
    ROW_VERSION = "row_version"


SYSTEM_FIELDS = {
    ":id": FieldType.ROW_ID,
    ":created_at": FieldType.INSTANT,
    ":updated_at": FieldType.INSTANT,
    ":version": FieldType.ROW_VERSION,
}
_COUNTS = tuple(
    f"number_of_{people}_{harm}"
    for people in ("persons", "pedestrians", "cyclist", "motorist")
    for harm in ("injured", "killed")
)
FACTOR_FIELDS = tuple(f"contributing_factor_vehicle_{number}" for number in range(1, 6))
VEHICLE_FIELDS = (
    "vehicle_type_code1",
    "vehicle_type_code2",
    "vehicle_type_code_3",
    "vehicle_type_code_4",
    "vehicle_type_code_5",
)
FIELDS = {
    "crash_date": FieldType.MOMENT,
    "crash_time": FieldType.TEXT,
    "borough": FieldType.TEXT,
    "zip_code": FieldType.TEXT,
    "latitude": FieldType.NUMBER,
    "longitude": FieldType.NUMBER,
    "location": FieldType.LOCATION,
    "on_street_name": FieldType.TEXT,
    "off_street_name": FieldType.TEXT,
    "cross_street_name": FieldType.TEXT,
    **dict.fromkeys(_COUNTS, FieldType.NUMBER),
    **dict.fromkeys(FACTOR_FIELDS, FieldType.TEXT),
    "collision_id": FieldType.NUMBER,
    **dict.fromkeys(VEHICLE_FIELDS, FieldType.TEXT),
}
ALL_FIELDS = SYSTEM_FIELDS | FIELDS

_SPELT = {
    "off_street_name": "CROSS STREET NAME",
    "cross_street_name": "OFF STREET NAME",
    "collision_id": "COLLISION_ID",
    "vehicle_type_code1": "VEHICLE TYPE CODE 1",
    "vehicle_type_code2": "VEHICLE TYPE CODE 2",
}
EXPORT_NAMES = {name: _SPELT.get(name, name.upper().replace("_", " ")) for name in FIELDS}
"""What the export calls each column of the API; its columns stand in the same order."""
