with receipts as (

    select * from {{ ref('int_receipts') }}

),

reps as (

    select * from {{ ref('int_reps') }}

)

select
    receipts.receipt_key,
    receipts.source,
    receipts.invoice_key,
    receipts.order_key,
    receipts.customer_gid,
    receipts.rep_key,
    reps.team_key,
    receipts.received_date,
    receipts.amount,
    receipts.currency,
    receipts.amount_cny,
    receipts.record_ref
from receipts
left join reps on receipts.rep_key = reps.rep_key
