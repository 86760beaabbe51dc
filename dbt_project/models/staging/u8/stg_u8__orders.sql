with source as (

    select * from {{ source('u8', 'orders') }}

),

renamed as (

    select

        ---------- ids
        ID as order_id,
        cSOCode as order_no,
        cCusCode as customer_code,
        cPersonCode as person_code,
        cDepCode as department_code,
        nullif(trim(cDefine1), '') as deal_id,
        nullif(trim(cDefine2), '') as contract_no,

        ---------- text
        cexch_name as currency_name,
        cCloser as closed_by,

        ---------- numerics
        iStatus as status,
        iExchRate as exchange_rate,

        ---------- dates
        dDate as ordered_date,
        dPreDateBT as promised_date,
        dPreReceiptDate as expected_payment_date,
        dcreatesystime as created_at,

        ---------- versions
        ufts as row_version,

        ---------- lineage
        {{ record_ref('u8', 'orders') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
