package androidx.activity

import android.content.Context
import android.os.Bundle
import android.view.View
import androidx.activity.result.ActivityResultCallback
import androidx.activity.result.ActivityResultLauncher
import androidx.activity.result.contract.ActivityResultContract

open class ComponentActivity : Context() {
    protected open fun onCreate(savedInstanceState: Bundle?) {}

    protected open fun onDestroy() {}

    fun setContentView(view: View): Unit = TODO("Android has it: $view")

    fun runOnUiThread(action: Runnable): Unit = TODO("Android has it: $action")

    fun <I, O> registerForActivityResult(
        contract: ActivityResultContract<I, O>,
        callback: ActivityResultCallback<O>
    ): ActivityResultLauncher<I> = TODO("Android has it: $contract, $callback")
}
