with parties as (

    select
        source,
        source_key
    from {{ ref('int_parties_unioned') }}

),

erp_orders as (

    select * from {{ ref('stg_u8__orders') }}

),

erp_order_lines as (

    select * from {{ ref('stg_u8__order_lines') }}

),

deals as (

    select * from {{ ref('stg_hubspot__deals') }}

),

file_orders as (

    select * from {{ ref('stg_files__orders') }}

),

file_opportunities as (

    select * from {{ ref('stg_files__opportunities') }}

),

amounts as (

    select
        'u8' as source,
        erp_orders.customer_code as source_key,
        erp_order_lines.line_amount as amount
    from erp_order_lines
    inner join erp_orders on erp_order_lines.order_id = erp_orders.order_id

    union all

    select
        'hubspot' as source,
        company_id as source_key,
        amount
    from deals
    where not is_archived

    union all

    select
        source,
        party_id as source_key,
        amount
    from file_orders

    union all

    select
        source,
        party_id as source_key,
        amount
    from file_opportunities

),

-- rough on purpose: currencies are not converted, and a deal may become an order. It only orders a queue
summed as (

    select
        source,
        source_key,
        sum(greatest(amount, 0)) as amount
    from amounts
    group by source, source_key

),

final as (

    select
        parties.source,
        parties.source_key,
        -- a record without business still counts for one
        1 + coalesce(summed.amount, 0) as value
    from parties
    left join summed
        on
            parties.source = summed.source
            and parties.source_key = summed.source_key

)

select * from final
