with stock as (

    select * from {{ ref('int_stock') }}

)

select
    stock_key,
    source,
    warehouse,
    product_id,
    quantity,
    record_ref
from stock
