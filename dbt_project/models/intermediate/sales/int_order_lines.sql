with erp_lines as (

    select * from {{ ref('stg_u8__order_lines') }}

),

erp_products as (

    select * from {{ ref('stg_u8__products') }}

),

file_lines as (

    select * from {{ ref('stg_files__order_lines') }}

),

file_products as (

    select * from {{ ref('stg_files__products') }}

),

orders as (

    select * from {{ ref('int_orders') }}

),

unioned as (

    select
        'u8:' || erp_lines.order_line_id as order_line_key,
        'u8:' || erp_lines.order_id as order_key,
        erp_lines.product_code as product_id,
        erp_products.product_line,
        erp_lines.quantity,
        erp_lines.unit_price,
        erp_lines.line_amount,
        erp_lines.record_ref
    from erp_lines
    left join erp_products on erp_lines.product_code = erp_products.product_code

    union all

    select
        file_lines.source || ':' || file_lines.order_line_id as order_line_key,
        file_lines.source || ':' || file_lines.order_id as order_key,
        file_lines.product_id,
        file_products.product_line,
        file_lines.quantity,
        file_lines.unit_price,
        file_lines.line_amount,
        file_lines.record_ref
    from file_lines
    left join file_products
        on
            file_lines.source = file_products.source
            and file_lines.product_id = file_products.product_id

),

converted as (

    select
        unioned.order_line_key,
        unioned.order_key,
        unioned.product_id,
        unioned.product_line,
        unioned.quantity,
        unioned.unit_price,
        unioned.line_amount,
        cast(
            unioned.line_amount * cast(orders.amount_cny as double) / nullif(orders.amount, 0) as decimal(18, 2)
        ) as line_amount_cny,
        unioned.record_ref
    from unioned
    left join orders on unioned.order_key = orders.order_key

)

select * from converted
