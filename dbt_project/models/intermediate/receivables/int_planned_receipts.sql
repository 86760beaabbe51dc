with orders as (

    select * from {{ ref('int_orders') }}
    where ordered_date is null or ordered_date <= {{ local_date(as_of()) }}

),

invoices as (

    select * from {{ ref('int_invoices') }}
    where invoiced_date is null or invoiced_date <= {{ local_date(as_of()) }}

),

reps as (

    select * from {{ ref('int_reps') }}

),

invoiced_per_order as (

    select
        invoices.order_key,
        bool_and(invoices.amount is not null) as has_all_amounts,
        bool_and(invoices.currency is not distinct from orders.currency) as is_one_currency,
        sum(invoices.amount) as invoiced_amount,
        sum(invoices.amount_cny) as invoiced_amount_cny,
        list(invoices.record_ref order by invoices.record_ref) as invoice_refs
    from invoices
    inner join orders on invoices.order_key = orders.order_key
    group by invoices.order_key

),

invoice_lines as (

    select
        'invoice/' || invoices.invoice_key as plan_key,
        'invoice' as basis,
        invoices.order_key,
        invoices.invoice_key,
        coalesce(invoices.customer_gid, orders.customer_gid) as customer_gid,
        coalesce(invoices.rep_key, orders.rep_key) as rep_key,
        orders.team_key,
        coalesce(invoices.due_date, orders.expected_payment_date) as due_date,
        orders.expected_payment_date,
        invoices.amount as due_amount,
        invoices.currency,
        invoices.amount_cny as due_amount_cny,
        coalesce(invoices.is_disputed, false) as is_disputed,
        orders.record_ref as order_ref,
        [invoices.record_ref] as invoice_refs,
        invoices.record_ref
    from invoices
    left join orders on invoices.order_key = orders.order_key

),

-- share of the order not yet invoiced: in the order's own currency, so that two exchange rates leave no crumbs
order_remainders as (

    select
        orders.*,
        coalesce(invoiced_per_order.invoice_refs, cast([] as varchar[])) as invoice_refs,
        case
            when invoiced_per_order.order_key is null then 1
            when not invoiced_per_order.has_all_amounts then 0
            when invoiced_per_order.is_one_currency then 1 - invoiced_per_order.invoiced_amount / nullif(orders.amount, 0)
            else 1 - invoiced_per_order.invoiced_amount_cny / nullif(orders.amount_cny, 0)
        end as open_share
    from orders
    left join invoiced_per_order on orders.order_key = invoiced_per_order.order_key

),

order_lines as (

    select
        'order/' || order_key as plan_key,
        'order' as basis,
        order_key,
        null as invoice_key,
        customer_gid,
        rep_key,
        team_key,
        expected_payment_date as due_date,
        expected_payment_date,
        amount * open_share as due_amount,
        currency,
        amount_cny * open_share as due_amount_cny,
        false as is_disputed,
        record_ref as order_ref,
        invoice_refs,
        record_ref
    from order_remainders
    where open_share = 1 or round(amount * open_share, 2) > 0.01

),

final as (

    select
        lines.plan_key,
        lines.basis,
        lines.order_key,
        lines.invoice_key,
        lines.customer_gid,
        lines.rep_key,
        coalesce(lines.team_key, reps.team_key) as team_key,
        lines.due_date,
        lines.expected_payment_date,
        cast(lines.due_amount as decimal(18, 2)) as due_amount,
        lines.currency,
        cast(lines.due_amount_cny as decimal(18, 2)) as due_amount_cny,
        lines.is_disputed,
        lines.order_ref,
        lines.invoice_refs,
        lines.record_ref
    from (
        select * from invoice_lines
        union all
        select * from order_lines
    ) as lines
    left join reps on lines.rep_key = reps.rep_key

)

select * from final
