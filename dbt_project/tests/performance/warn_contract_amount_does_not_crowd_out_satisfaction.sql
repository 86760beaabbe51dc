-- SC-3 anti-pattern: contract amount near 80 % while satisfaction has 5 % or less.
{{ config(severity='warn') }}

select
    scheme,
    version,
    template,
    sum(weight) filter (where item = 'new_contract_amount') as contract_weight,
    sum(weight) filter (where component = 'quality') as quality_weight
from {{ ref('ref_score_weight') }}
group by scheme, version, template
having
    sum(weight) filter (where item = 'new_contract_amount') >= 0.75
    and coalesce(sum(weight) filter (where component = 'quality'), 0) <= 0.05
