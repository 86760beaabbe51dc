with source as (

    select * from {{ source('u8', 'quotes') }}

),

renamed as (

    select

        ---------- ids
        ID as quote_id,
        cCode as quote_no,
        cCusCode as customer_code,
        cPersonCode as person_code,
        nullif(trim(cDefine1), '') as deal_id,

        ---------- text
        cexch_name as currency_name,

        ---------- numerics
        cast(iSum as decimal(18, 2)) as amount,
        cast(iStdSum as decimal(18, 2)) as standard_amount,

        ---------- dates
        dDate as quoted_date,

        ---------- versions
        ufts as row_version,

        ---------- lineage
        {{ record_ref('u8', 'quotes') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
