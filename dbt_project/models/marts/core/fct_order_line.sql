with order_lines as (

    select * from {{ ref('int_order_lines') }}

)

select
    order_line_key,
    order_key,
    product_id,
    product_line,
    quantity,
    unit_price,
    line_amount,
    line_amount_cny,
    record_ref
from order_lines
