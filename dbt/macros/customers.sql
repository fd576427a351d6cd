{#- Takes out transactions of the named deliveries that no delivery has any more: one was sent again without them. -#}
{%- macro drop_transactions_of_no_delivery() -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where {{ daily.in_named_days('delivered_on') }}
            and transaction_id not in (select transaction_id from {{ ref('stg_customer_transactions') }})
    {%- endif -%}
{%- endmacro -%}
