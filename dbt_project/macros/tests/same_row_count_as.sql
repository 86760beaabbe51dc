{#- Fails when the model has more or fewer rows than another relation: a join fanned out or dropped rows. -#}
{% test same_row_count_as(model, compare_model) %}
with counts as (

    select
        (select count(*) from {{ model }}) as n_rows,
        (select count(*) from {{ compare_model }}) as n_expected

)

select * from counts where n_rows != n_expected
{% endtest %}
