-- The target lies above the floor when higher is better and below it when lower is better.
select
    scheme,
    version,
    template,
    item
from {{ ref('ref_score_weight') }}
where
    target_value = floor_value
    or (direction = 'higher_better' and target_value < floor_value)
    or (direction = 'lower_better' and target_value > floor_value)
