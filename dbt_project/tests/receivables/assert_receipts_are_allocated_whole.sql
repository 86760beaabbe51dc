-- FU-5: the parts of every receipt up to as_of sum to the receipt, and none is dropped.
with parts as (

    select
        receipt_key,
        sum(allocated_cny) as allocated_cny
    from {{ ref('fct_receipt_allocation') }}
    group by receipt_key

)

select
    receipts.receipt_key,
    receipts.amount_cny,
    parts.allocated_cny
from {{ ref('int_receipts') }} as receipts
left join parts on receipts.receipt_key = parts.receipt_key
where
    receipts.received_date <= {{ local_date(as_of()) }}
    and (parts.receipt_key is null or parts.allocated_cny is distinct from receipts.amount_cny)
