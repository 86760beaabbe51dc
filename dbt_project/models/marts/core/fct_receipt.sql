with receipts as (

    select * from {{ ref('int_receipts') }}

)

select
    receipt_key,
    source,
    invoice_key,
    order_key,
    customer_gid,
    rep_key,
    received_date,
    amount,
    currency,
    amount_cny,
    record_ref
from receipts
