-- SC-3: process and quality together carry 30 % to 40 % of the score in every template.
select
    scheme,
    version,
    template,
    sum(weight) as behaviour_share
from {{ ref('ref_score_weight') }}
where component in ('process', 'quality')
group by scheme, version, template
having sum(weight) not between 0.30 and 0.40
