"""WeCom's (企业微信) lists as streams."""

from connectors.base import Field, FieldKind, Stream


def _fields(spec: str, kind: FieldKind = "text") -> tuple[Field, ...]:
    return tuple(Field(name, kind) for name in spec.split())


DEPARTMENTS = Stream(
    name="departments",
    key=("id",),
    fields=(Field("id", required=True), *_fields("name parentid order")),
    cursor="full",
    deletes="id_reconcile",
    description="The organisation tree: root, regions, teams.",
)
USERS = Stream(
    name="users",
    key=("userid",),
    fields=(
        Field("userid", required=True),
        *_fields("name position mobile email status main_department"),
        *_fields("department is_leader_in_dept direct_leader", "json"),
    ),
    cursor="full",
    deletes="id_reconcile",
    description="Members: reps, team managers, directors.",
)
EXTERNAL_CONTACTS = Stream(
    name="external_contacts",
    key=("external_userid", "userid"),
    fields=(
        Field("external_userid", required=True),
        Field("userid", required=True),
        *_fields("name position corp_name corp_full_name type gender unionid"),
        *_fields("remark description remark_corp_name add_way state"),
        *_fields("remark_mobiles tag_id", "json"),
        Field("createtime", "epoch_s"),
    ),
    cursor="full",
    deletes="id_reconcile",
    description="Who follows which external contact, with the rep's remarks; walked whole, there is no modified-since filter.",
)
TAGS = Stream(
    name="tags",
    key=("id",),
    fields=(Field("id", required=True), *_fields("name group_id group_name"), Field("create_time", "epoch_s")),
    cursor="full",
    deletes="id_reconcile",
    description="Corporate customer tags.",
)
CHECKINS = Stream(
    name="checkins",
    key=("userid", "checkin_time", "checkin_type"),
    fields=(
        Field("userid", required=True),
        Field("checkin_time", "epoch_s", required=True),
        Field("checkin_type", required=True),
        *_fields("groupname exception_type location_title location_detail notes deviceid"),
        *_fields("mediaids", "json"),
        *_fields("lat lng", "integer"),
    ),
    cursor="window",
    deletes="none",
    description="GPS check-ins of field staff (lat and lng in millionths of a degree); no record id exists.",
)
APPROVALS = Stream(
    name="approvals",
    key=("sp_no",),
    fields=(
        Field("sp_no", required=True),
        *_fields("sp_name template_id applyer_userid applyer_partyid"),
        Field("sp_status", "integer", required=True),
        Field("apply_time", "epoch_s", required=True),
        *_fields("apply_data sp_record comments", "json"),
    ),
    cursor="window",
    deletes="none",
    description="Approvals; sp_status 1 pending, 2 passed, 3 rejected, 4 withdrawn, 6 revoked; re-read until they settle.",
)
EVENTS = Stream(
    name="events",
    key=("event_id",),
    fields=(
        Field("event_id", required=True),
        *_fields("event change_type user_id external_user_id"),
        Field("create_time", "epoch_s", required=True),
    ),
    cursor="manifest",
    deletes="none",
    description="Callbacks, verified and decrypted from the envelopes that a receiver wrote down.",
)

STREAMS = (DEPARTMENTS, USERS, EXTERNAL_CONTACTS, TAGS, CHECKINS, APPROVALS, EVENTS)
