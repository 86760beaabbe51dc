-- an item is known from the first row its source ever gave; before that "no rows" means "no source"
select
    'new_contract_amount' as item,
    {{ local_date('min(closed_at)') }} as started_on
from {{ ref('int_opportunities') }}
union all
select
    'received_payment' as item,
    min(received_date) as started_on
from {{ ref('int_receipts') }}
union all
select
    'effective_visits' as item,
    {{ local_date('min(occurred_at)') }} as started_on
from {{ ref('int_activities') }}
where activity_type = 'visit'
union all
select
    'proposals' as item,
    min(quoted_date) as started_on
from {{ ref('int_quotes') }}
union all
select
    'nps' as item,
    {{ local_date('min(responded_at)') }} as started_on
from {{ ref('int_nps') }}
union all
select
    'complaint_rate' as item,
    {{ local_date('min(created_at)') }} as started_on
from {{ ref('int_tickets') }}
