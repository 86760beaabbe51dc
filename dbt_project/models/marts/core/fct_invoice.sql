with invoices as (

    select * from {{ ref('int_invoices') }}

)

select
    invoice_key,
    source,
    order_key,
    customer_gid,
    rep_key,
    invoiced_date,
    due_date,
    amount,
    currency,
    amount_cny,
    is_disputed,
    record_ref
from invoices
