with stock as (

    select * from {{ ref('stg_u8__stock') }}

)

select
    'u8:' || stock_id as stock_key,
    'u8' as source,
    warehouse_code as warehouse,
    product_code as product_id,
    quantity,
    record_ref
from stock
