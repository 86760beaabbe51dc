with erp_invoices as (

    select * from {{ ref('stg_u8__invoices') }}

),

file_invoices as (

    select * from {{ ref('stg_files__invoices') }}

),

orders as (

    select * from {{ ref('int_orders') }}

),

currency_names as (

    select * from {{ ref('ref_currency_name') }}

),

rates as (

    select * from {{ ref('int_exchange_rates') }}

),

links as (

    select * from {{ ref('int_customer_links') }}

),

rep_crosswalk as (

    select * from {{ ref('int_rep_crosswalk') }}

),

order_numbers as (

    select
        order_no,
        min(order_key) as order_key
    from orders
    where source = 'u8'
    group by order_no

),

unioned as (

    select
        'u8' as source,
        erp_invoices.invoice_id,
        order_numbers.order_key,
        erp_invoices.customer_code as party_source_key,
        erp_invoices.person_code as owner_ref,
        erp_invoices.invoiced_date,
        erp_invoices.due_date,
        erp_invoices.amount,
        coalesce(currency_names.currency, erp_invoices.currency_name, 'CNY') as currency,
        null as is_disputed,
        erp_invoices.record_ref
    from erp_invoices
    left join order_numbers on erp_invoices.order_no = order_numbers.order_no
    left join currency_names on erp_invoices.currency_name = currency_names.currency_name

    union all

    select
        source,
        invoice_id,
        source || ':' || order_id as order_key,
        party_id as party_source_key,
        null as owner_ref,
        invoiced_date,
        due_date,
        amount,
        coalesce(currency, 'CNY') as currency,
        is_disputed,
        record_ref
    from file_invoices

),

resolved as (

    select
        unioned.source || ':' || unioned.invoice_id as invoice_key,
        unioned.source,
        orders.order_key,
        links.customer_gid,
        coalesce(rep_crosswalk.rep_key, orders.rep_key) as rep_key,
        unioned.invoiced_date,
        unioned.due_date,
        unioned.amount,
        unioned.currency,
        -- an invoice in the order's currency is worth what the order's rate says
        cast(
            case
                when unioned.currency = orders.currency
                    then unioned.amount * cast(orders.amount_cny as double) / nullif(orders.amount, 0)
                else unioned.amount * rates.rate_to_cny
            end as decimal(18, 2)
        ) as amount_cny,
        unioned.is_disputed,
        unioned.record_ref
    from unioned
    left join orders on unioned.order_key = orders.order_key
    left join rates
        on
            unioned.currency = rates.currency
            and unioned.invoiced_date >= rates.valid_from
            and unioned.invoiced_date < rates.valid_to
    left join links
        on
            unioned.source = links.source
            and unioned.party_source_key = links.source_key
    left join rep_crosswalk
        on
            unioned.source = rep_crosswalk.source
            and unioned.owner_ref = rep_crosswalk.rep_ref

)

select * from resolved
