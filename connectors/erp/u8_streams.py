"""Yonyou U8 tables as streams (names as in the account-set database). `ufts` is the row version, as a bigint."""

from connectors.base import Field, FieldKind, Stream

CHINA = "Asia/Shanghai"


def _fields(spec: str, kind: FieldKind = "text") -> tuple[Field, ...]:
    return tuple(Field(name, kind) for name in spec.split())


def _table_stream(name: str, key: str, fields: tuple[Field, ...], description: str) -> Stream:
    return Stream(
        name=name,
        key=(key,),
        fields=(Field(key, required=True), *fields, Field("ufts", "integer", required=True)),
        cursor="watermark",
        deletes="id_reconcile",
        version="ufts",
        description=description,
    )


def _date(name: str, required: bool = False) -> Field:
    return Field(name, "date", required=required)


CUSTOMERS = _table_stream(
    "customers",
    "cCusCode",
    (
        Field("cCusName", required=True),
        *_fields(
            "cCusAbbName cCusRegCode cCusPhone cCusHand cCusPerson cCusEmail cCusAddress cProvince cCity cCCCode cCusPPerson "
            "cCusHeadCode"
        ),
        _date("dCusDevDate"),
        Field("dModifyDate", "timestamp", zone=CHINA),
    ),
    "Customer: billing master with tax number (cCusRegCode) and head customer (cCusHeadCode; its own code where it has none).",
)
PERSONS = _table_stream(
    "persons", "cPersonCode", _fields("cPersonName cDepCode cPersonPhone cPersonEmail"), "Person: sales staff."
)
DEPARTMENTS = _table_stream("departments", "cDepCode", _fields("cDepName"), "Department.")
PRODUCTS = _table_stream(
    "products",
    "cInvCode",
    (*_fields("cInvName cInvStd cInvCCode"), Field("iInvSPrice", "decimal")),
    "Inventory: products, product line (cInvCCode), standard price in CNY.",
)
QUOTES = _table_stream(
    "quotes",
    "ID",
    (
        *_fields("cCode cCusCode cPersonCode cDefine1 cexch_name"),
        _date("dDate", required=True),
        Field("iSum", "decimal", required=True),
        Field("iStdSum", "decimal"),
    ),
    "SA_QuoMain: quotes with tax; iStdSum is the same at standard price; cDefine1 the CRM deal id.",
)
ORDERS = _table_stream(
    "orders",
    "ID",
    (
        *_fields("cSOCode cCusCode cPersonCode cDepCode cCloser cexch_name cDefine1 cDefine2"),
        _date("dDate", required=True),
        Field("iStatus", "integer"),
        Field("iExchRate", "decimal"),
        _date("dPreDateBT"),
        _date("dPreReceiptDate"),
        Field("dcreatesystime", "timestamp", zone=CHINA),
    ),
    "SO_SOMain: sales orders; dPreDateBT promised delivery, dPreReceiptDate expected payment, cDefine1 deal, cDefine2 contract.",
)
ORDER_LINES = _table_stream(
    "order_lines",
    "iSOsID",
    (
        Field("ID", required=True),
        *_fields("cInvCode"),
        Field("iQuantity", "decimal", required=True),
        Field("iTaxUnitPrice", "decimal"),
        Field("iSum", "decimal", required=True),
    ),
    "SO_SODetails: lines; ID is the order's.",
)
DELIVERIES = _table_stream(
    "deliveries", "DLID", (*_fields("cDLCode cSOCode cCusCode"), _date("dDate", required=True)), "DispatchList: deliveries."
)
INVOICES = _table_stream(
    "invoices",
    "SBVID",
    (
        *_fields("cSBVCode cCusCode cPersonCode cSOCode cexch_name"),
        _date("dDate", required=True),
        _date("dGatheringDate"),
        Field("iSum", "decimal", required=True),
    ),
    "SaleBillVouch: invoices with tax; dGatheringDate is the due date.",
)
RECEIPTS = _table_stream(
    "receipts",
    "iID",
    (
        *_fields("cVouchID cVouchType cDwCode cPerson cSBVCode cSOCode cexch_name"),
        _date("dVouchDate", required=True),
        Field("iAmount", "decimal", required=True),
    ),
    "Ap_CloseBill, cVouchType 48: money received, with the invoice that it settles.",
)
STOCK = _table_stream(
    "stock", "AutoID", (*_fields("cWhCode cInvCode"), Field("iQuantity", "decimal")), "CurrentStock by warehouse."
)

# stream name -> table
TABLES = {
    "customers": "Customer",
    "persons": "Person",
    "departments": "Department",
    "products": "Inventory",
    "quotes": "SA_QuoMain",
    "orders": "SO_SOMain",
    "order_lines": "SO_SODetails",
    "deliveries": "DispatchList",
    "invoices": "SaleBillVouch",
    "receipts": "Ap_CloseBill",
    "stock": "CurrentStock",
}

STREAMS = (CUSTOMERS, PERSONS, DEPARTMENTS, PRODUCTS, QUOTES, ORDERS, ORDER_LINES, DELIVERIES, INVOICES, RECEIPTS, STOCK)
