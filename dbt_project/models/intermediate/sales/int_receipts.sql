with erp_receipts as (

    select * from {{ ref('stg_u8__receipts') }}

),

erp_invoices as (

    select * from {{ ref('stg_u8__invoices') }}

),

file_receipts as (

    select * from {{ ref('stg_files__receipts') }}

),

invoices as (

    select * from {{ ref('int_invoices') }}

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

invoice_numbers as (

    select
        invoice_no,
        min('u8:' || invoice_id) as invoice_key
    from erp_invoices
    group by invoice_no

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
        erp_receipts.receipt_id,
        invoice_numbers.invoice_key,
        order_numbers.order_key,
        erp_receipts.customer_code as party_source_key,
        erp_receipts.person_code as owner_ref,
        erp_receipts.received_date,
        erp_receipts.amount,
        coalesce(currency_names.currency, erp_receipts.currency_name, 'CNY') as currency,
        erp_receipts.record_ref
    from erp_receipts
    left join invoice_numbers on erp_receipts.invoice_no = invoice_numbers.invoice_no
    left join order_numbers on erp_receipts.order_no = order_numbers.order_no
    left join currency_names on erp_receipts.currency_name = currency_names.currency_name
    -- 48 is money received, 49 money paid out
    where erp_receipts.voucher_type is null or erp_receipts.voucher_type = '48'

    union all

    select
        source,
        receipt_id,
        source || ':' || invoice_id as invoice_key,
        null as order_key,
        party_id as party_source_key,
        null as owner_ref,
        received_date,
        amount,
        coalesce(currency, 'CNY') as currency,
        record_ref
    from file_receipts

),

settled as (

    select
        unioned.source,
        unioned.receipt_id,
        unioned.party_source_key,
        unioned.owner_ref,
        unioned.received_date,
        unioned.amount,
        unioned.currency,
        unioned.record_ref,
        invoices.invoice_key,
        coalesce(unioned.order_key, invoices.order_key) as order_key,
        invoices.customer_gid as invoice_customer_gid,
        invoices.rep_key as invoice_rep_key
    from unioned
    left join invoices on unioned.invoice_key = invoices.invoice_key

),

resolved as (

    select
        settled.source || ':' || settled.receipt_id as receipt_key,
        settled.source,
        settled.invoice_key,
        orders.order_key,
        coalesce(links.customer_gid, settled.invoice_customer_gid) as customer_gid,
        coalesce(rep_crosswalk.rep_key, settled.invoice_rep_key, orders.rep_key) as rep_key,
        settled.received_date,
        settled.amount,
        settled.currency,
        cast(
            case
                when settled.currency = orders.currency
                    then settled.amount * cast(orders.amount_cny as double) / nullif(orders.amount, 0)
                else settled.amount * rates.rate_to_cny
            end as decimal(18, 2)
        ) as amount_cny,
        settled.record_ref
    from settled
    left join orders on settled.order_key = orders.order_key
    left join rates
        on
            settled.currency = rates.currency
            and settled.received_date >= rates.valid_from
            and settled.received_date < rates.valid_to
    left join links
        on
            settled.source = links.source
            and settled.party_source_key = links.source_key
    left join rep_crosswalk
        on
            settled.source = rep_crosswalk.source
            and settled.owner_ref = rep_crosswalk.rep_ref

)

select * from resolved
