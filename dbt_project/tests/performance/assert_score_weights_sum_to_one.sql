-- SC-2, SC-4: the weights of every template of every scheme version sum to 1.
select
    scheme,
    version,
    template,
    sum(weight) as total_weight
from {{ ref('ref_score_weight') }}
group by scheme, version, template
having sum(weight) <> 1
